// Runs before the page's own scripts: notes what the page asks of the core, and frames that took long.
(() => {
  const bench = (window.bench = { flying: 0, long: [], asked: [] });
  const real = window.fetch;
  window.fetch = async function (input) {
    const address = new URL(typeof input === "string" ? input : input.url, location.href);
    // A stream has no end to wait for.
    if (!address.pathname.startsWith("/api/") || address.pathname.endsWith("/stream")) {
      return real.apply(this, arguments);
    }
    const began = performance.now();
    const ended = status => {
      bench.flying -= 1;
      bench.asked.push([address.pathname + address.search, performance.now() - began, status]);
    };
    bench.flying += 1;
    try {
      const answer = await real.apply(this, arguments);
      const text = answer.text.bind(answer);
      answer.text = () => text().finally(() => ended(answer.status));
      return answer;
    } catch (error) {
      ended(0);
      throw error;
    }
  };
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) bench.long.push([entry.startTime, entry.duration]);
  }).observe({ type: "longtask", buffered: true });

  // Tells when, for three frames, the page stood and nothing was on its way. `since` is where the time begins.
  bench.settled = (since, done) => {
    let calm = 0, at = 0;
    const look = () => {
      const main = document.querySelector("#main");
      const stands = main && main.textContent.length > 0 && bench.flying === 0 &&
        document.documentElement.dataset.ready === "true";
      if (stands && calm === 0) at = performance.now();
      calm = stands ? calm + 1 : 0;
      if (calm < 4) return requestAnimationFrame(look);
      const asked = bench.asked.splice(0);
      const long = bench.long.splice(0).filter(([start]) => start >= since).map(([, took]) => took);
      done([at - since, asked, long]);
    };
    requestAnimationFrame(look);
  };

  // Goes elsewhere as a link does, without a new document.
  bench.go = (address, done) => {
    bench.asked.length = bench.long.length = 0;
    const since = performance.now();
    history.pushState(null, "", address);
    dispatchEvent(new PopStateEvent("popstate"));
    bench.settled(since, done);
  };

  // Notes when the first row of a list is drawn.
  const watch = () => {
    bench.row = null;
    const rows = new MutationObserver(() => {
      if (!document.querySelector("#main .vt-sheet > [role=row]")) return;
      bench.row = performance.now();
      rows.disconnect();
    });
    rows.observe(document, { childList: true, subtree: true });
  };
  watch();

  // Tells when the first row stood. `since` is where the time begins.
  bench.firstRow = (since, done) => {
    const look = () => bench.row === null ? requestAnimationFrame(look) : done(bench.row - since);
    look();
  };

  // Goes to a page of a list from one that has none, and tells when its first row stood.
  bench.goToRows = (address, done) => {
    watch();
    const since = performance.now();
    history.pushState(null, "", address);
    dispatchEvent(new PopStateEvent("popstate"));
    bench.firstRow(since, done);
  };

  // What can be scrolled by more than a little, the longest first.
  bench.scrollers = () => [...document.querySelectorAll("#main, #main *")]
    .filter(one => /auto|scroll/.test(getComputedStyle(one).overflow) && one.clientHeight > 60 &&
      (one.scrollHeight - one.clientHeight > 120 || one.scrollWidth - one.clientWidth > 400))
    .sort((one, two) => two.scrollHeight - one.scrollHeight)
    .slice(0, 3);

  // Frames while something moves in each of them.
  bench.frames = (count, move, done) => {
    const frames = [];
    let last = performance.now();
    const step = now => {
      frames.push(now - last);
      last = now;
      move(frames.length);
      if (frames.length < count + 2) requestAnimationFrame(step); else done(frames.slice(2));
    };
    requestAnimationFrame(step);
  };

  // Down and up again, sideways too where there is something: eight rows a frame in a table, sixty pixels elsewhere.
  bench.scroll = (at, count, done) => {
    const one = bench.scrollers()[at];
    if (!one) return done(null);
    const row = one.querySelector(".vt-sheet > [role=row]");
    const pace = row ? row.offsetHeight * 8 : 60;
    let down = 1, right = 1;
    const name = one.getAttribute("aria-label") || one.className || one.tagName;
    bench.frames(count, () => {
      if (one.scrollTop + one.clientHeight >= one.scrollHeight - 1) down = -1;
      if (one.scrollTop <= 0) down = 1;
      if (one.scrollLeft + one.clientWidth >= one.scrollWidth - 1) right = -1;
      if (one.scrollLeft <= 0) right = 1;
      one.scrollTop += down * pace;
      if (one.scrollWidth - one.clientWidth > 400) one.scrollLeft += right * 60;
    }, frames => { one.scrollTop = one.scrollLeft = 0; done([String(name), frames]); });
  };

  // Smaller and larger again, a step every sixth frame.
  bench.zoom = (count, done) => {
    const press = name => document.querySelector(`#main button[aria-label="${name}"]`)?.click();
    if (!document.querySelector('#main button[aria-label="Smaller"]')) return done(null);
    bench.frames(count, frame => {
      if (frame % 6 === 0) press(frame % 96 < 48 ? "Smaller" : "Larger");
    }, frames => done(["zoom", frames]));
  };
})();
