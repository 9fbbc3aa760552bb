// What a page notices of itself; put into it before any script of its own.
(() => {
  const watched = { marks: {}, frames: [], long: [], recording: false };
  const wanted = {
    canvas: "[data-canvas][data-ready]",
    hovered: "[data-node]",
    selected: "[data-node][data-selected]",
  };
  let last = 0;
  let asked = false;
  const ask = () => {
    if (!asked) requestAnimationFrame(tick);
    asked = true;
  };
  const tick = (now) => {
    asked = false;
    if (watched.recording && last) watched.frames.push(now - last);
    last = now;
    for (const [name, selector] of Object.entries(wanted)) {
      if (!document.querySelector(selector)) continue;
      watched.marks[name] = performance.now();
      delete wanted[name];
    }
    if (watched.recording || Object.keys(wanted).length > 0) ask();
  };
  ask();
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) watched.long.push(task.duration);
  }).observe({ entryTypes: ["longtask"] });
  watched.begin = () => {
    Object.assign(watched, { frames: [], long: [], recording: true });
    for (const name of Object.keys(wanted)) delete wanted[name];
    last = 0;
    ask();
  };
  watched.end = () => {
    watched.recording = false;
    return { frames: watched.frames, long: watched.long };
  };
  window.watched = watched;
})();
