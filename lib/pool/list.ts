// A list whose members hold its links, so that each joins and leaves it in constant time.

export interface Member<M extends Member<M>> {
  /** The list that it is in. */
  list: List<M> | null;
  older: M | null;
  newer: M | null;
}

export class List<M extends Member<M>> {
  size = 0;
  oldest: M | null = null;
  newest: M | null = null;

  push(member: M): void {
    this.insertAfter(this.newest, member);
  }

  /** Puts it behind `older`, which is in the list; null: it becomes the oldest. */
  insertAfter(older: M | null, member: M): void {
    const newer = older === null ? this.oldest : older.newer;
    member.list = this;
    member.older = older;
    member.newer = newer;
    if (older === null) this.oldest = member;
    else older.newer = member;
    if (newer === null) this.newest = member;
    else newer.older = member;
    this.size++;
  }

  remove(member: M): void {
    const { older, newer } = member;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.newest = older;
    else newer.older = older;
    member.list = null;
    member.older = null;
    member.newer = null;
    this.size--;
  }

  /** From the oldest to the newest. Whoever is met may be removed. */
  *[Symbol.iterator](): Generator<M, void> {
    for (let member = this.oldest; member !== null; ) {
      const { newer }: { newer: M | null } = member;
      yield member;
      member = newer;
    }
  }
}
