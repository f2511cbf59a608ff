import { defineConfig } from 'vitest/config'

const conditions = ['source', 'node', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts', 'benchmarks/**/*.test.ts'],
    globalSetup: ['tests/setup/build.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Some tests draw at random and some race with real processes: where a run decides, one failure is looked at twice.
    retry: process.env['CI'] === undefined ? 0 : 1,
    // What is polled for depends on how busy the machine is.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
