/** Something that falls due; among equals the one that was added first goes first. */
export interface HeapTask {
  /** Milliseconds since the epoch. */
  readonly due: number;
  readonly order: number;
  /** Where it is in the heap, which alone sets it; -1 when it is not in it. */
  place: number;
}

const before = (a: HeapTask, b: HeapTask) => a.due < b.due || (a.due === b.due && a.order < b.order);

/** A binary heap of tasks, the next one first, that knows where each is: adding and removing take O(log n). */
export class TaskHeap<Task extends HeapTask> {
  private tasks: Task[] = [];

  get first(): Task | undefined {
    return this.tasks[0];
  }

  add(task: Task): void {
    task.place = this.tasks.length;
    this.tasks.push(task);
    this.up(task);
  }

  /** Takes a task out; nothing happens when it is not in it. */
  remove(task: Task): void {
    const { place } = task;
    if (place < 0) return;
    task.place = -1;
    const last = this.tasks.pop()!;
    if (last === task) return;
    this.put(last, place);
    this.up(last);
    this.down(last);
  }

  clear(): void {
    for (const task of this.tasks) task.place = -1;
    this.tasks = [];
  }

  private put(task: Task, place: number): void {
    this.tasks[place] = task;
    task.place = place;
  }

  private up(task: Task): void {
    let { place } = task;
    while (place > 0) {
      const parent = this.tasks[(place - 1) >> 1]!;
      if (!before(task, parent)) break;
      const above = parent.place;
      this.put(parent, place);
      place = above;
    }
    this.put(task, place);
  }

  private down(task: Task): void {
    let { place } = task;
    for (;;) {
      const left = this.tasks[2 * place + 1];
      if (!left) break;
      const right = this.tasks[2 * place + 2];
      const child = right && before(right, left) ? right : left;
      if (!before(child, task)) break;
      const below = child.place;
      this.put(child, place);
      place = below;
    }
    this.put(task, place);
  }
}
