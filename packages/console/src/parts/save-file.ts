/** Has the browser save `content` under `name`. */
export function saveFile(name: string, content: Blob): void {
  const address = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser has begun to read by then, whatever it asks the user first.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
