export { spread } from '@incipit/engine/bench'
export type { Spread } from '@incipit/engine/bench'
