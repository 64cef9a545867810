// Dark or light: the system's setting, until the switch is used.

import { byId } from '/dom.js';

export function makeThemeSwitch() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const button = byId('theme');
  const chosen = () => document.documentElement.dataset.theme;
  const isDark = () => (chosen() ? chosen() === 'dark' : dark.matches);
  const update = () => button.setAttribute('aria-pressed', isDark());
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    update();
  });
  dark.addEventListener('change', update);
  update();
}
