import { describe, expect, test } from 'vitest';
import { readCoverage } from './coverage-report.ts';

const lcov = `TN:
SF:contracts/src/A.sol
DA:3,7
FN:3,A.f
FNDA:7,A.f
DA:4,0
BRDA:4,0,0,-
BRDA:4,0,1,0
BRDA:5,1,0,2
end_of_record
TN:
SF:contracts/src/B.sol
DA:1,1
end_of_record
TN:
SF:contracts/test/C.sol
DA:1,0
end_of_record
`;

describe('a coverage report', () => {
  test('names lines and branches that nobody ran', () => {
    expect(readCoverage(lcov, 'contracts/src/')).toEqual({
      lines: 3,
      branches: 3,
      uncovered: [{ file: 'contracts/src/A.sol', lines: [4], branches: [4, 4] }],
    });
  });

  test('has nothing where there is none', () => {
    expect(readCoverage('', 'contracts/src/')).toEqual({ lines: 0, branches: 0, uncovered: [] });
  });
});
