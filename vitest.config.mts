import { defineConfig } from 'vitest/config';

// The tests use the package as its users do: `import … from 'spliceway'`, which is dist/ built from
// lib/. Each file runs in a process of its own, since an addon lives as long as its process.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    globalSetup: 'test/support/own-folder.ts',
    testTimeout: 15_000,
    server: { deps: { external: [/\/dist\//] } },
    typecheck: { enabled: true, include: ['test/types/**/*.test-d.ts'], tsconfig: 'test/tsconfig.json' },
  },
});
