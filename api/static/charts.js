"use strict";
// Draws every chart of the page. Expressions are interpreted from syntax trees (ast), so the page's policy can
// forbid the evaluation of text as script.
document.querySelectorAll("[data-chart]").forEach(async (place) => {
  const spec = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  const locale = window.chartLocales[document.documentElement.lang] || {};
  try {
    await window.vegaEmbed(place, spec, {
      ast: true,
      actions: false,
      renderer: "svg",
      defaultStyle: false,
      formatLocale: locale.number,
      timeFormatLocale: locale.time,
      tooltip: { disableDefaultStyle: true },
    });
    place.dataset.drawn = "yes";
  } catch (error) {
    place.dataset.drawn = "no";
    place.textContent = place.dataset.failed;
    throw error;
  }
});
