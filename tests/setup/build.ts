import { build, isFresh } from '../../scripts/build.mjs'

/** Child processes and worker threads run compiled files: bring them up to date before any test. */
export default function setup(): void {
  if (!isFresh() && !build()) throw new Error('the build failed: see above')
}
