import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  base: "./", // the page can lie in any folder of a server
  plugins: [svelte()],
  // The bounds that count are of script gzipped, and a test measures them.
  build: { target: "es2022", modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
  server: { fs: { allow: [".."] } }, // frontend-abi
});
