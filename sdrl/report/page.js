"use strict";
(function () {
  var root = document.documentElement;
  var theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", function () {
    var dark = matchMedia("(prefers-color-scheme: dark)").matches;
    var now = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });

  // A cell's number where it starts with one ("1 min 05 s" counts minutes and seconds), else its text.
  function key(cell) {
    if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
    var text = cell.textContent.trim();
    var time = /^(?:(\d+) h )?(?:(\d+) min ?)?(?:([\d.]+) s)?$/.exec(text);
    if (text && time) return (time[1] || 0) * 3600 + (time[2] || 0) * 60 + Number(time[3] || 0);
    var number = /^[+\-\u2212]?[\d,]*\.?\d+/.exec(text);
    return number ? Number(number[0].replace(/,/g, "").replace("\u2212", "-")) : text;
  }
  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b);
  }
  document.querySelectorAll("table").forEach(function (table) {
    var heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = head.querySelector("button");
      if (!button) return;
      button.addEventListener("click", function () {
        var sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
        var rows = Array.from(table.tBodies[0].rows);
        rows.sort(function (a, b) { return sign * compare(key(a.cells[column]), key(b.cells[column])); });
        rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
      });
    });
  });

  var gallery = document.getElementById("samples");
  if (!gallery) return;
  var cards = Array.from(gallery.children);
  var words = cards.map(function (card) { return card.textContent.toLowerCase(); });
  var inputs = ["stage", "outcome", "mark", "search"].map(function (name) { return document.getElementById("f-" + name); });
  var count = document.getElementById("f-count");
  function show() {
    var stage = inputs[0].value, outcome = inputs[1].value, mark = inputs[2].value;
    var search = inputs[3].value.toLowerCase();
    var shown = 0;
    cards.forEach(function (card, index) {
      var fits = (!stage || card.dataset.stage === stage) && (!outcome || card.dataset.outcome === outcome) &&
        (!mark || card.dataset.marks.split("|").indexOf(mark) >= 0) && (!search || words[index].indexOf(search) >= 0);
      card.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = shown + " of " + cards.length;
  }
  inputs.forEach(function (input) { input.addEventListener("input", show); });
  show();
})();
