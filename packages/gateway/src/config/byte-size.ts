const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** Matches what `parseByteSize` takes, for schemas. */
export const byteSizePattern: RegExp = /^\d+(\.\d+)? ?([KMGT]i?)?B?$/

/**
 * Bytes from `2GiB`, `512 MiB`, `1.5GB` or plain digits; `undefined` when it is none of these or
 * more than can be counted exactly.
 * @example parseByteSize('2GiB') // 2147483648
 */
export function parseByteSize(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([KMGT]?i?B?)$/.exec(text) ?? []
  const factor = unit === undefined ? undefined : (units[unit] ?? units[`${unit}B`])
  if (factor === undefined) return undefined
  const bytes = Math.floor(Number(digits) * factor)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** @example formatByteSize(2147483648) // '2 GiB' */
export function formatByteSize(bytes: number): string {
  const names = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let size = bytes
  let name = 0
  while (size >= 1024 && name < names.length - 1) {
    size /= 1024
    name += 1
  }
  return `${Number.isInteger(size) ? size : size.toFixed(1)} ${names[name]}`
}
