import { parser } from '@prometheus-io/lezer-promql'

type SyntaxNode = ReturnType<typeof parser.parse>['topNode']

/** What an expression asks for. */
export interface PromqlQuery {
  readonly selectors: readonly PromqlSelector[]
  /** Labels that aggregations and joins name. */
  readonly groupedBy: readonly string[]
}

/** One metric of an expression, with the labels it is chosen by. */
export interface PromqlSelector {
  readonly metric: string
  readonly labels: readonly string[]
  /** The function its range is given to, such as `rate`; `undefined` = an instant. */
  readonly ranged: string | undefined
}

const ranged = /([a-z_]+)\($/

/**
 * Reads a PromQL expression with the grammar of Prometheus.
 * @throws Error naming the place where it is none
 * @example readPromql('sum by (model) (rate(x_total{model="a"}[5m]))').groupedBy // ['model']
 */
export function readPromql(expression: string): PromqlQuery {
  const text = withoutVariables(expression)
  const selectors: PromqlSelector[] = []
  const groupedBy: string[] = []
  parser.parse(text).iterate({
    enter: ({ node }) => {
      if (node.type.isError) throw new Error(`no PromQL at ${node.from} of: ${text}`)
      if (node.name === 'VectorSelector') selectors.push(readSelector(node, text))
      if (node.name === 'GroupingLabels') groupedBy.push(...labelsIn(node, text))
    },
  })
  return { selectors, groupedBy }
}

function readSelector(node: SyntaxNode, text: string): PromqlSelector {
  const name = node.getChild('Identifier')
  const matchers = node.getChild('LabelMatchers')
  const range = node.parent?.name === 'MatrixSelector' ? node.parent : undefined
  return {
    metric: name === null ? '' : text.slice(name.from, name.to),
    labels: (matchers?.getChildren('UnquotedLabelMatcher') ?? []).flatMap((matcher) => labelsIn(matcher, text)),
    ranged: range === undefined ? undefined : ranged.exec(text.slice(0, range.from))?.[1],
  }
}

function labelsIn(node: SyntaxNode, text: string): string[] {
  return node.getChildren('LabelName').map(({ from, to }) => text.slice(from, to))
}

/** Variables of Grafana: in a range they are a duration, in a text anything. */
function withoutVariables(expression: string): string {
  return expression.replaceAll(/\[\$__(?:rate_interval|range|interval)\]/g, '[5m]').replaceAll(/\$\w+/g, 'any')
}
