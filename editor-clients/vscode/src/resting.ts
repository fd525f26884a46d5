/** Waits until the cursor rests, so that the server prepares a first completion there. */

const REST_MILLISECONDS = 300;

/** Where the cursor is: in which document, in which version of it, and whether it is one alone. */
export interface Cursor {
  readonly uri: string;
  readonly version: number;
  readonly isAlone: boolean;
}

/** Calls `tell` with the last place that the cursor was moved to, once it has stayed there. */
export class Resting<Place extends Cursor> {
  private readonly versions = new Map<string, number>();
  private readonly tell: (place: Place) => void;
  private timer: NodeJS.Timeout | undefined;

  constructor(tell: (place: Place) => void) {
    this.tell = tell;
  }

  /** Note a move. One that an edit made is none: a key asks for a completion anyway. */
  moved(place: Place): void {
    clearTimeout(this.timer);
    const isEdited = (this.versions.get(place.uri) ?? place.version) !== place.version;
    this.versions.set(place.uri, place.version);
    if (isEdited || !place.isAlone) return;
    this.timer = setTimeout(() => {
      this.tell(place);
    }, REST_MILLISECONDS);
  }

  /** Forget a document that was closed. */
  closed(uri: string): void {
    this.versions.delete(uri);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
