import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Makes metrics of one registry: a name is given once, with its help and its labels. */
export class Instruments {
  readonly registry: Registry = new Registry()

  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] })
  }

  gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.registry] })
  }

  histogram<Label extends string>(options: {
    readonly name: string
    readonly help: string
    readonly labelNames: readonly Label[]
    readonly buckets: readonly number[]
  }): Histogram<Label> {
    const { name, help, labelNames, buckets } = options
    return new Histogram({
      name,
      help,
      labelNames: [...labelNames],
      buckets: [...buckets],
      registers: [this.registry],
    })
  }
}

/** Shows a count that is kept elsewhere: a counter by its type, set to what it is now. */
export function showCount<Label extends string>(
  counter: Counter<Label>,
  values: readonly { readonly labels?: Partial<Record<Label, string>>; readonly value: number }[],
): void {
  counter.reset()
  for (const { labels, value } of values) {
    if (labels === undefined) counter.inc(value)
    else counter.inc(labels, value)
  }
}
