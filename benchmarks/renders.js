// Which parts of a page React draws; put into it before React, which tells whoever stands where its
// developer tools would. A build for production tells it too, so the editor needs no code for this.
(() => {
  const PERFORMED_WORK = 1;
  const FUNCTIONS = new Set([0, 11, 14, 15]);
  const commits = [];

  // The card, the wire, or the rest of the page.
  const place = (fiber) => {
    for (let one = fiber; one; one = one.return) {
      const props = typeof one.type === "string" ? one.memoizedProps : null;
      if (!props || typeof props.className !== "string") continue;
      if (props.className.startsWith("react-flow__node ")) return `card ${props["data-id"]}`;
      if (props.className.startsWith("react-flow__edge ")) return `wire ${props["data-id"]}`;
    }
    return "page";
  };

  const walk = (fiber, drawn) => {
    const before = fiber.alternate;
    const worked = (fiber.flags & PERFORMED_WORK) !== 0;
    if (FUNCTIONS.has(fiber.tag) && (worked || before === null)) {
      const where = place(fiber);
      drawn[where] = (drawn[where] ?? 0) + 1;
    }
    // What shares its children with the last picture was not looked into.
    if (before !== null && before.child === fiber.child) return;
    for (let child = fiber.child; child; child = child.sibling) walk(child, drawn);
  };

  window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
    renderers: new Map(),
    supportsFiber: true,
    checkDCE() {},
    inject: () => 1,
    onScheduleFiberRoot() {},
    onCommitFiberUnmount() {},
    onPostCommitFiberRoot() {},
    onCommitFiberRoot(_, root) {
      const drawn = {};
      walk(root.current, drawn);
      commits.push(drawn);
    },
  };
  // Parts drawn by each commit since the last call: how many components in which place.
  window.takeCommits = () => commits.splice(0);
})();
