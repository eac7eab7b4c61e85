// A token's colour as the browser computes it: light-dark() is resolved only where a property is used.
export function colour(element, token) {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  element.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
