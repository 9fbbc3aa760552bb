import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nearNames } from "../../src/widgets/near";
import { portOf, show } from "./field_kit";

afterEach(cleanup);

const FILES = [
  { name: "sdxl/base-1.0.safetensors" },
  { name: "sd15/pruned.ckpt", problem: "It is a pickle." },
];
const port = portOf(
  { type: "string" },
  { name: "model", file: { root: "checkpoints", folder: false } },
);
const box = () => screen.getByRole("combobox", { name: "model" });

describe("a file", () => {
  it("is chosen from those of its root", () => {
    const files = vi.fn(() => FILES);
    const shown = show(port, "", { context: { files } });
    expect(files).toHaveBeenCalledWith("checkpoints");
    fireEvent.click(box());
    const pickle = screen.getByRole("option", { name: "sd15/pruned.ckpt" });
    expect(pickle.title).toBe("sd15/pruned.ckpt\nIt is a pickle.");
    fireEvent.click(screen.getByRole("option", { name: "sdxl/base-1.0.safetensors" }));
    expect(shown.given).toEqual([["sdxl/base-1.0.safetensors", true]]);
  });

  it("says what it is, which others are the same, and why it cannot be used", () => {
    const files = () => [
      { name: "half.ckpt", family: "flux", precision: "fp16", same_as: ["again.ckpt", "vae/a.pt"] },
      { name: "cut.ckpt", family: "", precision: "", same_as: [], problem: "It is truncated." },
      { name: "plain.ckpt", family: "", precision: "", same_as: [] },
      { name: "two.ckpt", family: "stable_diffusion", title: "Stable Diffusion 2", precision: "" },
    ];
    show(port, "half.ckpt", { context: { files } });
    expect(box().title).toBe("half.ckpt\nflux, fp16\nthe same as again.ckpt, vae/a.pt");
    fireEvent.click(box());
    const said = (name: string) => {
      const described = screen.getByRole("option", { name }).getAttribute("aria-describedby");
      return described && document.getElementById(described)?.textContent;
    };
    expect(said("half.ckpt")).toBe("flux, fp16the same as again.ckpt, vae/a.pt");
    expect(said("cut.ckpt")).toBe("It is truncated.");
    expect(said("plain.ckpt")).toBeNull();
    expect(said("two.ckpt")).toBe("Stable Diffusion 2");
  });

  it("that is not there is shown, with names like it", () => {
    const shown = show(port, "sdxl_base_1.0.safetensors", { context: { files: () => FILES } });
    expect(box().textContent).toBe("sdxl_base_1.0.safetensors");
    const near = screen.getByRole("button", { name: "model is missing: names like it" });
    expect(near.title).toBe("There is no sdxl_base_1.0.safetensors in checkpoints.");
    fireEvent.keyDown(near, { key: "Enter" });
    fireEvent.click(screen.getByRole("menuitem", { name: "sdxl/base-1.0.safetensors" }));
    expect(shown.value()).toBe("sdxl/base-1.0.safetensors");
  });

  it("is not called missing while nobody knows which there are", () => {
    show(port, "sdxl/base-1.0.safetensors", { context: { files: () => null } });
    expect(box().textContent).toBe("sdxl/base-1.0.safetensors");
    expect(screen.queryByRole("button", { name: /is missing/ })).toBeNull();
    expect(box().title).toBe("sdxl/base-1.0.safetensors");
  });

  it("list is read anew on wish", () => {
    const refreshFiles = vi.fn();
    show(port, "", { context: { refreshFiles } });
    fireEvent.click(box());
    fireEvent.click(screen.getByRole("button", { name: "Refresh" }));
    expect(refreshFiles).toHaveBeenCalledWith("checkpoints");
  });
});

it("near names are those that share most, whatever their folder and ending", () => {
  const names = [
    "a/dreamshaper_8.safetensors",
    "vae.pt",
    "b/DreamShaper-7.ckpt",
    "clip.safetensors",
  ];
  expect(nearNames("dreamshaper8.ckpt", names)).toEqual([
    "a/dreamshaper_8.safetensors",
    "b/DreamShaper-7.ckpt",
  ]);
});

describe("a picture", () => {
  const picture = portOf(
    { type: "string" },
    { name: "image", file: { root: "inputs", folder: false } },
  );
  const fox = new File(["x"], "fox.png", { type: "image/png" });

  it("that is dropped is sent, and chosen", async () => {
    const upload = vi.fn(async () => "fox (2).png");
    const shown = show(picture, "", { context: { upload } });
    const thumb = screen.getByRole("button", { name: "Drop or paste a picture here" });
    fireEvent.drop(thumb, { dataTransfer: { files: [fox], types: ["Files"] } });
    await waitFor(() => expect(shown.value()).toBe("fox (2).png"));
    expect(upload).toHaveBeenCalledWith(fox);
  });

  it("that is pasted is sent", async () => {
    const shown = show(picture, "");
    const thumb = screen.getByRole("button", { name: "Drop or paste a picture here" });
    fireEvent.paste(thumb, { clipboardData: { files: [fox] } });
    await waitFor(() => expect(shown.value()).toBe("fox.png"));
  });

  it("says why it was not sent", async () => {
    const upload = () => Promise.reject(new Error("It is too large."));
    const shown = show(picture, "", { context: { upload } });
    const thumb = screen.getByRole("button", { name: "Drop or paste a picture here" });
    fireEvent.drop(thumb, { dataTransfer: { files: [fox], types: ["Files"] } });
    await screen.findByText("fox.png was not sent: It is too large.");
    expect(shown.given).toEqual([]);
  });

  it("opens the editor of its mask", () => {
    const openMask = vi.fn();
    show(picture, "fox.png", { context: { openMask, files: () => [{ name: "fox.png" }] } });
    fireEvent.click(screen.getByRole("button", { name: "Paint the mask of image" }));
    expect(openMask).toHaveBeenCalledOnce();
  });
});
