import { assert } from './assert.ts';

/** One, in fixed point with 18 decimals. */
export const wad = 10n ** 18n;

/** Numerator and denominator of the rational approximation, highest power first, in 2^96 fixed point. */
const numerator = [
  3273285459638523848632254066296n,
  24828157081833163892658089445524n,
  43456485725739037958740375743393n,
] as const;
const denominator = [
  71694874799317883764090561454958n,
  283447036172924575727196451306956n,
  401686690394027663651624208769553n,
  204048457590392012362485061816622n,
  31853899698501571402653359427138n,
  909429971244387300277376558375n,
] as const;

/**
 * The natural logarithm of a positive number in fixed point with 18 decimals, rounded as solady's
 * `FixedPointMathLib.lnWad` rounds it (an (8, 8)-term rational approximation by Remco Bloemen), so that a contract and
 * we get the same bits.
 */
export function lnWad(of: bigint): bigint {
  assert(of > 0n, 'a logarithm is of a positive number');
  const zeros = 256 - of.toString(2).length;
  // In (1, 2) times 2^96; what was shifted away comes back as a multiple of ln 2.
  const x = (of << BigInt(zeros)) >> 159n;
  let p = (numerator[0] + x) * x;
  p = ((p >> 96n) + numerator[1]) * x;
  p = ((p >> 96n) + numerator[2]) * x;
  p = (p >> 96n) - 11111509109440967052023855526967n;
  p = ((p * x) >> 96n) - 45023709667254063763336534515857n;
  p = ((p * x) >> 96n) - 14706773417378608786704636184526n;
  p = p * x - (795164235651350426258249787498n << 96n);
  let q = 5573035233440673466300451813936n + x;
  for (const term of denominator) q = term + ((x * q) >> 96n);
  // Division cuts towards zero, as the machine's does; shifts round down.
  const r =
    (p / q) * 1677202110996718588342820967067443963516166n +
    16597577552685614221487285958193947469193820559219878177908093499208371n * BigInt(159 - zeros) +
    600920179829731861736702779321621459595472258049074101567377883020018308n;
  return r >> 174n;
}
