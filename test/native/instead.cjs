// Preloaded into Node and its workers: where the addon is asked for, the one that the environment
// names is loaded instead. A script for --require, since workers do not run what --import names.
// Enters: IO_SELECTORS_ADDON. Leaves: process.dlopen.

const load = process.dlopen;

process.dlopen = (module, file, ...rest) => {
  const instead = file.endsWith("io_selectors.node") ? process.env.IO_SELECTORS_ADDON : undefined;
  return load(module, instead ?? file, ...rest);
};
