// Recovery codes: one press copies them all.

const copy = document.querySelector("[data-copy]");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    const codes = [...document.querySelectorAll("[data-code]")].map((one) => one.textContent.trim());
    await navigator.clipboard.writeText(codes.join("\n"));
    document.querySelector("[data-copied]").hidden = false;
  });
}
