// The keyboard: what the page lists under Keyboard, while no text is being written.

function bindKeys(page) {
  const actions = {
    ' ': () => page.player.toggle(),
    ArrowLeft: (key) => (key.shiftKey ? page.seek(page.player.time - 1) : page.player.step(-1)),
    ArrowRight: (key) => (key.shiftKey ? page.seek(page.player.time + 1) : page.player.step(1)),
    n: () => page.next(1),
    p: () => page.next(-1),
    a: () => page.add(),
    u: () => page.store.undo(),
    '[': () => page.shift(page.chosen, 'start', page.player.time),
    ']': () => page.shift(page.chosen, 'end', page.player.time),
    Delete: () => page.remove(),
    Escape: () => page.choose(null),
  };
  document.addEventListener('keydown', (key) => {
    const target = key.target;
    const writes = target.matches('input[type=text], input[type=number], select');
    if (writes && key.key !== 'Escape') return;
    if (key.key === ' ' && target.matches('button, input[type=checkbox], summary')) return;
    if ((key.ctrlKey || key.metaKey) && key.key === 'z') {
      key.preventDefault();
      page.store.undo();
      return;
    }
    if (key.ctrlKey || key.metaKey || key.altKey || !Object.hasOwn(actions, key.key)) return;
    key.preventDefault();
    actions[key.key](key);
  });
}
