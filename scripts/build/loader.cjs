// The executable's main script: loads the chunks that scripts/build/bundle.ts made from the executable's own assets.
// A chunk is run at most once, when it is first asked for, so what `import()` names in the sources stays lazy.
// Everything else that can be required is a module of Node itself; nothing is ever loaded from a disk.
'use strict';
const { getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

const chunks = new Map();

function requireChunk(name) {
  const known = chunks.get(name);
  if (known !== undefined) return known.exports;
  const chunk = { exports: {} };
  chunks.set(name, chunk);
  try {
    const source = Buffer.from(getRawAsset(name)).toString();
    new Script(source, { filename: name }).runInThisContext()(chunk.exports, requireAny, chunk);
  } catch (error) {
    chunks.delete(name);
    throw error;
  }
  return chunk.exports;
}

const requireAny = (id) => (id.startsWith('./') ? requireChunk(id.slice(2)) : require(id));

requireChunk('main.js');
