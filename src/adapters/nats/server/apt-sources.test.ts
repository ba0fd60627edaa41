import { describe, expect, test } from 'vitest';
import { type AptArchive, aptCandidates, parseAptSources, parseOsRelease, renderAptSource } from './apt-sources.ts';

const bookworm = parseOsRelease('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_CODENAME=bookworm\n');
const noble = parseOsRelease('ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n');

function archive(change: Partial<AptArchive> = {}): AptArchive {
  return { uri: 'http://mirror/debian', suites: ['bookworm'], components: ['main'], signedBy: undefined, ...change };
}

describe('sources of apt', () => {
  test('are read from stanzas, with comments, several addresses and a key of several lines', () => {
    const text = [
      '# A comment.',
      'Types: deb deb-src',
      '# Another one.',
      'URIs: http://one/debian http://two/debian',
      'Suites: bookworm bookworm-updates',
      'Components: main contrib',
      'Signed-By:',
      ' -----BEGIN PGP PUBLIC KEY BLOCK-----',
      ' .',
      ' mDME',
      '',
      'Types: deb-src',
      'URIs: http://sources/debian',
      'Suites: bookworm',
      'Components: main',
      '',
      'Enabled: no',
      'Types: deb',
      'URIs: http://off/debian',
      'Suites: bookworm',
      'Components: main',
    ].join('\n');
    const signedBy = '\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME';
    const rest = { suites: ['bookworm', 'bookworm-updates'], components: ['main', 'contrib'], signedBy };
    expect(parseAptSources('debian.sources', text)).toEqual([
      { uri: 'http://one/debian', ...rest },
      { uri: 'http://two/debian', ...rest },
    ]);
  });

  test('are read from lines, with and without options', () => {
    const text = [
      '# deb http://off/debian bookworm main',
      'deb http://mirror/debian bookworm main contrib # a comment',
      'deb-src http://mirror/debian bookworm main',
      'deb [arch=amd64 signed-by=/a.gpg,/b.gpg] http://other/debian sid main',
    ].join('\n');
    expect(parseAptSources('sources.list', text)).toEqual([
      archive({ components: ['main', 'contrib'] }),
      archive({ uri: 'http://other/debian', suites: ['sid'], signedBy: '/a.gpg /b.gpg' }),
    ]);
  });
});

describe('where a server is looked for', () => {
  test('on Debian: the newest suite first, at the mirror and with the key that the system has', () => {
    const archives = [
      archive({ uri: 'http://security', suites: ['bookworm-security'] }),
      archive({ uri: 'http://nodejs', suites: ['nodistro'] }),
      archive({ signedBy: '/usr/share/keyrings/debian.gpg' }),
    ];
    const rest = { uri: 'http://mirror/debian', components: ['main'], signedBy: '/usr/share/keyrings/debian.gpg' };
    expect(aptCandidates(bookworm, archives)).toEqual([
      { suite: 'sid', ...rest },
      { suite: 'trixie', ...rest },
      { suite: 'bookworm', ...rest },
    ]);
  });

  test('on Ubuntu: its newest suite, then its own, among what its community keeps', () => {
    const archives = [archive({ uri: 'http://mirror/ubuntu', suites: ['noble', 'noble-updates'] })];
    expect(aptCandidates(noble, archives).map(({ suite, components }) => [suite, ...components])).toEqual([
      ['devel', 'universe'],
      ['noble', 'universe'],
    ]);
  });

  test('on a Debian without a name of its own, which is sid', () => {
    const osRelease = parseOsRelease('ID=debian\n');
    const suites = aptCandidates(osRelease, [archive({ suites: ['unstable'] })]).map(({ suite }) => suite);
    expect(suites).toEqual(['sid', 'trixie']);
  });

  test('nowhere on another system, or where no source is a mirror of the distribution', () => {
    expect(aptCandidates(parseOsRelease('ID=fedora\n'), [archive()])).toEqual([]);
    expect(aptCandidates(new Map(), [archive()])).toEqual([]);
    expect(aptCandidates(bookworm, [archive({ suites: ['nodistro'] }), archive({ components: ['contrib'] })])).toEqual(
      [],
    );
  });

  test('a private source names one suite, and is read as it was written', () => {
    const text = renderAptSource({ uri: 'http://m', suite: 'sid', components: ['main'], signedBy: '\n key\n .\n end' });
    expect(text).toBe('Types: deb\nURIs: http://m\nSuites: sid\nComponents: main\nSigned-By: \n key\n .\n end\n');
    expect(parseAptSources('private.sources', text)).toEqual([
      archive({ uri: 'http://m', suites: ['sid'], signedBy: '\n key\n .\n end' }),
    ]);
  });
});
