/**
 * Put into every page that `bench console` measures, before its own scripts. Frames are timed between animation frames; a pixel is what
 * a canvas of the map holds when a frame ends, read before it is handed to the compositor: the same way for every console.
 */
(() => {
  const SIDE = 28; // pixels around the middle of the map
  const UNLIKE = 60; // summed over red, green and blue
  const ENOUGH = 40; // unlike pixels that are a change
  const hour = () => performance.timeOrigin + performance.now();
  const probe = { frames: [], waiting: false, baseline: {}, changedAt: null, drawn: false };
  let last = null;
  let timing = false;
  const ask = window.requestAnimationFrame.bind(window);

  /** What MapLibre has drawn in this frame; null when it drew nothing. */
  function ground() {
    const canvas = document.querySelector(".maplibregl-canvas");
    const gl = canvas?.getContext("webgl2");
    if (!gl) return null;
    const pixels = new Uint8Array(4 * SIDE * SIDE);
    const bound = gl.getParameter(gl.FRAMEBUFFER_BINDING);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.readPixels(Math.round((canvas.width - SIDE) / 2), Math.round((canvas.height - SIDE) / 2), SIDE, SIDE, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    gl.bindFramebuffer(gl.FRAMEBUFFER, bound);
    return pixels[3] === 0 ? null : pixels;
  }

  /** What is painted above it. */
  function above() {
    const canvas = document.querySelector(".map-marks");
    const context = canvas?.getContext("2d");
    return context ? context.getImageData(Math.round((canvas.width - SIDE) / 2), Math.round((canvas.height - SIDE) / 2), SIDE, SIDE).data : null;
  }

  function unlike(a, b) {
    let count = 0;
    for (let at = 0; at < a.length; at += 4) if (Math.abs(a[at] - b[at]) + Math.abs(a[at + 1] - b[at + 1]) + Math.abs(a[at + 2] - b[at + 2]) > UNLIKE) count += 1;
    return count;
  }

  function compare(name, seen) {
    if (!seen) return;
    if (!probe.baseline[name]) probe.baseline[name] = seen;
    else if (probe.changedAt === null && unlike(seen, probe.baseline[name]) >= ENOUGH) probe.changedAt = hour();
  }

  function look() {
    if (!probe.waiting) return;
    const seen = ground();
    probe.drawn ||= seen !== null;
    compare("ground", seen);
  }

  function lookAbove() {
    if (!probe.waiting) return;
    compare("above", above());
    ask(lookAbove);
  }

  window.requestAnimationFrame = (callback) =>
    ask((at) => {
      callback(at);
      look();
    });

  probe.arm = () => {
    if (!probe.waiting) ask(lookAbove);
    Object.assign(probe, { waiting: true, baseline: {}, changedAt: null });
  };
  probe.ready = () => Object.keys(probe.baseline).length > 0;
  probe.disarm = () => Object.assign(probe, { waiting: false });
  probe.timeFrames = (on) => {
    probe.frames = [];
    last = null;
    if (on && !timing) {
      const tick = (at) => {
        if (last !== null) probe.frames.push(at - last);
        last = at;
        if (timing) ask(tick);
      };
      timing = true;
      ask(tick);
    }
    timing = on;
  };
  /** When this element is there and a frame has shown it. */
  probe.element = (id) =>
    new Promise((found) => {
      const seek = () => (document.getElementById(id) ? ask(() => found(hour())) : ask(seek));
      seek();
    });
  window.vigiaProbe = probe;
})();
