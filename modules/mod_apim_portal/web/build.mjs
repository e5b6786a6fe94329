// SPDX-License-Identifier: Apache-2.0
// Builds the pages: node build.mjs <directory of node_modules> <output directory>. Nothing is fetched.
import { createRequire } from 'node:module'
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const [modules, out] = process.argv.slice(2).map((p) => resolve(p))
const esbuild = createRequire(join(modules, 'x.js'))('esbuild')
const parts = { store: 'Store', publisher: 'Publisher', admin: 'Administration' }

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })

const result = await esbuild.build({
  absWorkingDir: here,
  entryPoints: Object.keys(parts).map((p) => `src/${p}.tsx`),
  outdir: out,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['es2021'],
  minify: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  nodePaths: [modules],
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
})

// One style sheet: style.css, then what parts add to it.
const styles = readdirSync(join(here, 'src')).filter((n) => n.endsWith('.css')).sort((a, b) => (b === 'style.css') - (a === 'style.css') || a.localeCompare(b))
const style = await esbuild.build({
  absWorkingDir: here,
  stdin: { contents: styles.map((name) => `@import "./${name}";`).join('\n'), resolveDir: join(here, 'src'), sourcefile: 'all.css', loader: 'css' },
  outdir: out,
  bundle: true,
  minify: true,
  entryNames: 'style-[hash]',
  metafile: true,
  logLevel: 'warning',
})
const nameOf = (meta, entry) =>
  Object.entries(meta.outputs).find(([, o]) => o.entryPoint === entry)[0].split('/').pop()
const css = Object.keys(style.metafile.outputs)[0].split('/').pop()

// What an entry loads at once: fetched side by side instead of one after the other.
function preloads(entry) {
  const outputs = result.metafile.outputs
  const start = Object.keys(outputs).find((k) => outputs[k].entryPoint === entry)
  const seen = new Set()
  const walk = (k) => outputs[k].imports.filter((i) => i.kind === 'import-statement' && !seen.has(i.path))
    .forEach((i) => { seen.add(i.path); walk(i.path) })
  walk(start)
  return [...seen].map((k) => k.split('/').pop())
}

cpSync(join(here, 'src/icon.svg'), join(out, 'icon.svg'))
for (const [part, title] of Object.entries(parts)) {
  const entry = `src/${part}.tsx`
  writeFileSync(join(out, `${part}.html`), `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/pages/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/pages/${css}">
${preloads(entry).map((n) => `<link rel="modulepreload" href="/pages/${n}">\n`).join('')}<script type="module" src="/pages/${nameOf(result.metafile, entry)}"></script>
</head>
<body>
<div id="app"><noscript>These pages need JavaScript. Everything in them can also be done through the REST APIs.</noscript></div>
</body>
</html>
`)
}

// Licences of what is bundled.
const bundled = ['preact', '@preact/signals', '@preact/signals-core']
writeFileSync(join(out, 'licences.txt'), bundled.map((name) => {
  const text = readFileSync(join(modules, name, 'LICENSE'), 'utf8')
  return `${name} ${JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version}\n\n${text}`
}).join('\n\n----\n\n'))

for (const name of readdirSync(out)) {
  writeFileSync(join(out, `${name}.gz`), gzipSync(readFileSync(join(out, name)), { level: 9 }))
}
