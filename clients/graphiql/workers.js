// WORKER_URLS is put in by build.mjs: the file names carry a hash of their content.
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(WORKER_URLS[label] ?? WORKER_URLS.editor, { name: label }),
};
