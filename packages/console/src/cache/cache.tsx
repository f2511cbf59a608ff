import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { addressOf } from '../api/ask.ts'
import type { EngineState, PinList, PrefixList } from '../api/engine.ts'
import { Notice, Waiting } from '../parts/notice.tsx'
import { TextFilter } from '../parts/text-filter.tsx'
import { Select } from '../parts/values.tsx'
import { change, setting } from '../state/place.ts'
import type { Answer } from '../state/use-answer.ts'
import { useAnswer } from '../state/use-answer.ts'
import { CacheEmpty, NoEngine } from './cache-empty.tsx'
import { EngineTiles } from './engine-tiles.tsx'
import { ModelPanels } from './model-panel.tsx'
import { PinPanel } from './pin-panel.tsx'
import { ResetDialog } from './reset-dialog.tsx'
import { TreePanel } from './tree-panel.tsx'

const orders = [
  ['tokens', 'largest first'],
  ['used', 'used last first'],
  ['hits', 'most reused first'],
  ['age', 'oldest first'],
] as const
/** More than a picture can show; the rest is counted. */
const mostNodes = 2_000

/** What the local engine holds: tier by tier, what is pinned, and the tree of prefixes. */
export function Cache(): JSX.Element {
  const engine = useAnswer<EngineState>({ address: 'v1/engine', everyMs: 5_000 })
  const resetting = useSignal(false)
  const which = { org: setting('org'), model: setting('local') }
  const order = orders.find(([name]) => name === setting('order'))?.[0] ?? 'tokens'
  const tree = useAnswer<PrefixList>({
    address: addressOf('v1/prefixes', { source: 'engine', ...which, order, limit: mostNodes }),
    everyMs: 10_000,
  })
  const pins = useAnswer<PinList>({ address: addressOf('v1/pins', { ...which, limit: 100 }), everyMs: 5_000 })
  if (tree.failure?.code === 'engine_unavailable') return <NoEngine reason={tree.failure.message} />
  const isAdmin = engine.value !== undefined && engine.failure?.status !== 403
  return (
    <>
      <CacheFilter />
      <EngineParts engine={engine} />
      {tree.value?.total === 0 ? (
        <CacheEmpty narrowed={which.org !== undefined || which.model !== undefined} />
      ) : (
        <TreePanel answer={tree} reset={isAdmin ? () => void (resetting.value = true) : undefined}>
          <Select
            label="Order"
            value={order}
            options={orders}
            choose={(name) => change({ order: name === 'tokens' ? undefined : name }, 'in place')}
          />
        </TreePanel>
      )}
      <PinPanel answer={pins} />
      {resetting.value && <ResetDialog which={which} close={() => void (resetting.value = false)} />}
    </>
  )
}

/** Budgets and counters are of all organisations: a member is told that they are not for it. */
function EngineParts({ engine }: { engine: Answer<EngineState> }): JSX.Element {
  if (engine.failure?.status === 403) {
    return (
      <p class="about" role="note">
        What the engine uses of its budgets is of all organisations and for admins only. Below is what belongs to yours.
      </p>
    )
  }
  return (
    <>
      <Notice of={engine} what="engine" />
      <Waiting of={engine} />
      {engine.value !== undefined && (
        <>
          <EngineTiles engine={engine.value} />
          <ModelPanels models={engine.value.models ?? []} />
        </>
      )}
    </>
  )
}

interface ListedModels {
  readonly data?: readonly { readonly incipit?: { readonly served_by?: string } }[]
}

function CacheFilter(): JSX.Element {
  const models = useAnswer<ListedModels>({ address: 'v1/models' })
  const listed = (models.value?.data ?? []).map(({ incipit }) => incipit?.served_by)
  const names = [...new Set([...listed, setting('local')])].filter((name) => name !== undefined)
  return (
    <form class="filters" aria-label="Filters" onSubmit={(submitted) => submitted.preventDefault()}>
      <div class="row">
        <Select
          label="Local model"
          value={setting('local') ?? ''}
          options={[['', 'all'], ...names.map((name) => [name, name] as const)]}
          choose={(name) => change({ local: name, node: undefined })}
        />
        <TextFilter name="org" label="Organisation" />
      </div>
    </form>
  )
}
