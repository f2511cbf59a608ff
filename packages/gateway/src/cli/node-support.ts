/**
 * A line about a Node release that is no longer supported by its makers; none for one that is.
 * @example warnAboutNode('20.19.0') // ['Node 20 is out of support ...']
 */
export function warnAboutNode(nodeVersion: string): string[] {
  const major = Number(nodeVersion.split('.', 1)[0])
  // Odd releases live half a year; 22 and later even ones are in support.
  if (major >= 22 && major % 2 === 0) return []
  return [`Node ${major} is out of support (this is ${nodeVersion}); Incipit runs on it, Node 24 is advised`]
}
