/** A part of the editor as a pack brings it: a dial that works, and two widgets that break. */

export function setup(host) {
  host.widget("dial", (element, { value, onChange, resize, signal }) => {
    const button = document.createElement("button");
    const more = document.createElement("button");
    more.textContent = "More room";
    const show = (turn) => {
      button.textContent = `Turned to ${turn}`;
    };
    let now = value;
    const turn = () => {
      now = (now + 1) % 10;
      show(now);
      onChange(now);
    };
    button.addEventListener("click", turn, { signal });
    more.addEventListener("click", () => resize(200), { signal });
    show(value);
    element.append(button, more);
    return {
      update(next) {
        now = next;
        show(next);
      },
    };
  });

  host.widget("fragile", (element, { signal }) => {
    const button = document.createElement("button");
    button.textContent = "Press me";
    const press = () => {
      throw new Error("the spring is gone");
    };
    button.addEventListener("click", press, { signal });
    element.append(button);
    return { update() {} };
  });

  host.widget("unborn", () => {
    throw new Error("no material");
  });

  host.command("fields.greet", "Greet from a pack", () => {
    document.body.dataset.greeted = "yes";
  });
}
