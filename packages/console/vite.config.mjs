import { defineConfig } from 'vite'

// The gateway serves what lands in its own folder; addresses are relative, so that it works behind any path.
export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../gateway/dist/console',
    emptyOutDir: true,
    assetsDir: 'console',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'console/licenses.md' },
    reportCompressedSize: false,
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
  },
})
