/* Before the first paint: the theme that this person chose (none: the system's) and the browser's time zone for the server. */
(() => {
  try {
    const theme = localStorage.getItem("glassdesk:theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    /* Storage is forbidden: the system's theme it is. */
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `glassdesk_timezone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
})();
