import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server that `npm run dev` sends API calls to; `nodeflow serve` listens there.
const server = process.env.NODEFLOW_SERVER ?? "http://127.0.0.1:8420";

export default defineConfig({
  // Relative addresses, so that the site works below any path of a reverse proxy.
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../nodeflow/server/site",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 1000,
  },
  server: {
    proxy: {
      "/api": { target: server, ws: true, changeOrigin: true },
      "/plugins": { target: server, changeOrigin: true },
    },
  },
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    environment: "happy-dom",
    // Tests of random graphs take seconds where other work runs beside them.
    testTimeout: 60_000,
  },
});
