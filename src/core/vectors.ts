/**
 * Vectors as text: all of them end to end, little-endian float32, in base64. What an embedding task's result
 * carries, so that its root binds every bit.
 */
export function encodeVectors(vectors: readonly Float32Array[]): string {
  const width = vectors[0]?.length ?? 0;
  const bytes = Buffer.alloc(vectors.length * width * Float32Array.BYTES_PER_ELEMENT);
  let offset = 0;
  for (const vector of vectors) {
    for (const value of vector) offset = bytes.writeFloatLE(value, offset);
  }
  return bytes.toString('base64');
}

/** Reads `count` vectors back; undefined where the text does not hold that many of one width, all finite. */
export function decodeVectors(text: string, count: number): Float32Array[] | undefined {
  const bytes = Buffer.from(text, 'base64');
  const floats = bytes.length / Float32Array.BYTES_PER_ELEMENT;
  const width = floats / count;
  if (count < 1 || !Number.isInteger(width) || width < 1 || bytes.toString('base64') !== text) return undefined;
  const vectors = Array.from({ length: count }, (_, row) =>
    Float32Array.from({ length: width }, (__, column) => bytes.readFloatLE((row * width + column) * 4)),
  );
  return vectors.every((vector) => vector.every(Number.isFinite)) ? vectors : undefined;
}

/** The cosine of the angle between two vectors of one width; 0 where one of them is nothing. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let lengthA = 0;
  let lengthB = 0;
  for (let index = 0; index < a.length; index += 1) {
    const x = a[index] ?? 0;
    const y = b[index] ?? 0;
    dot += x * y;
    lengthA += x * x;
    lengthB += y * y;
  }
  return lengthA === 0 || lengthB === 0 ? 0 : dot / Math.sqrt(lengthA * lengthB);
}
