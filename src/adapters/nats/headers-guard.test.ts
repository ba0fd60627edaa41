import { MsgHdrsImpl } from 'nats';
import { expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { decodeHeaders } from './headers-guard.ts';

const read = (text: string) => decodeHeaders(Buffer.from(text));
const lines = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, number) => `h${from + number}: ${number}\r\n`).join('');

test('headers are read as the vendor’s client reads them', () => {
  const sent = new MsgHdrsImpl();
  sent.append('Nats-Msg-Id', 'one');
  sent.append('Many', 'a');
  sent.append('Many', 'b: c ');
  sent.append('empty', '');
  const decoded = decodeHeaders(sent.encode());
  expect([...decoded]).toEqual([...sent]);
  expect([decoded.code, decoded.description, decoded.hasError]).toEqual([0, '', false]);
});

test.each([
  ['NATS/1.0 503\r\n\r\n', 503, ''],
  ['NATS/1.0 503 No Responders\r\n\r\n', 503, 'No Responders'],
  ['NATS/1.0   404   No Messages\r\na: b\r\n\r\n', 404, 'No Messages'],
  ['NATS/1.0 5 x\r\n\r\n', 0, ''],
  ['NATS/1.0 5030\r\n\r\n', 0, ''],
  ['204 EOB\r\n\r\n', 0, ''],
  ['NATS/1.0 204 EOB\r\nNats-Stream: s\r\n\r\n', 0, ''],
  ['NATS/1.0 503', 0, ''],
  ['', 0, ''],
])('the status of %j', (text, code, description) => {
  const decoded = read(text);
  expect([decoded.code, decoded.description]).toEqual([code, description]);
});

test('what is no header is left out, and the rest is there', () => {
  const decoded = read('NATS/1.0\r\n: a\r\nno name: b\r\né: c\r\nnothing\r\na\u0000: d\r\nb: x\ny\r\nc: e\r\n\r\n');
  expect([...decoded]).toEqual([['c', ['e']]]);
});

test('as many as the bound says are read, and of more the last', () => {
  const { natsHeadersMax: most } = limits;
  expect(read(`NATS/1.0\r\n${lines(most - 2)}\r\n`).size()).toBe(most - 2);
  const decoded = read(`NATS/1.0\r\n${lines(5_000)}Nats-Sequence: 7\r\n\r\n`);
  expect(decoded.size()).toBeLessThanOrEqual(most);
  expect([decoded.last('Nats-Sequence'), decoded.has('h4999'), decoded.has('h0')]).toEqual(['7', true, false]);
});

test('a line that begins before the bound of bytes is not read, those behind it are', () => {
  const long = `long: ${'x'.repeat(limits.natsHeadersBytesMax)}\r\n`;
  const decoded = read(`NATS/1.0 503\r\n${long}Nats-Sequence: 7\r\n\r\n`);
  expect([...decoded]).toEqual([['Nats-Sequence', ['7']]]);
  expect(decoded.code).toBe(503);
  expect(read(`NATS/1.0 ${'y'.repeat(2 * limits.natsHeadersBytesMax)}`).size()).toBe(0);
});
