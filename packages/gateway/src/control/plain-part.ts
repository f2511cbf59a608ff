/**
 * Whether a decoded part of a path stays one part wherever it is sent: no slash of either kind, and more than dots.
 * @example isPlainPart('resp_1') // true
 */
export function isPlainPart(part: string): boolean {
  return !/^\.*$|[/\\]/.test(part)
}
