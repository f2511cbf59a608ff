/** An answer of `GET /v1/prefixes?source=engine` with many nodes: openings of all sizes, each gone on with again and again. */
export function samplePrefixes(count: number): Record<string, unknown> {
  const data: SampleNode[] = []
  const random = randomFrom(7)
  while (data.length < count) {
    const tier = (['hot', 'ram', 'ram', 'disk', 'disk'] as const)[random(5)] ?? 'hot'
    // Half of them begin a prompt; the others go on with one of the last fifty.
    const place = data.length - 1 - random(50)
    const above = random(2) === 0 ? undefined : data[place]
    const parent = above?.tier === tier ? above : undefined
    if (parent !== undefined) parent.children++
    data.push({
      id: `node${data.length}`,
      model: 'demo',
      org: 'acme',
      tier,
      parent: parent === undefined ? null : place,
      depth: parent === undefined ? 0 : parent.depth + 1,
      start: parent === undefined ? 0 : parent.start + parent.tokens,
      tokens: 64 * (1 + random(1 + random(60))),
      children: 0,
      hits: random(2) * random(40),
      age_ms: random(3_600_000),
      last_used: new Date(Date.now() - random(600_000)).toISOString(),
    })
  }
  return { object: 'list', source: 'engine', total: count, truncated: false, tiers: totalsOf(data), data }
}

interface SampleNode {
  readonly id: string
  readonly model: string
  readonly org: string
  readonly tier: 'hot' | 'ram' | 'disk'
  readonly parent: number | null
  readonly depth: number
  readonly start: number
  readonly tokens: number
  children: number
  readonly hits: number
  readonly age_ms: number
  readonly last_used: string
}

function totalsOf(data: readonly SampleNode[]): Record<string, unknown> {
  const of = (tier: string): unknown => {
    const nodes = data.filter((node) => node.tier === tier)
    return { nodes: nodes.length, tokens: nodes.reduce((sum, { tokens }) => sum + tokens, 0) }
  }
  return { hot: of('hot'), ram: of('ram'), disk: of('disk') }
}

/** Numbers below a bound, the same each time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}
