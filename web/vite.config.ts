import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  base: "./", // the page can lie in any folder of a server
  plugins: [svelte()],
  // The bound that counts is 200 kB of script gzipped, and a test measures it.
  build: { target: "es2022", modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
  server: { fs: { allow: [".."] } }, // frontend-abi
});
