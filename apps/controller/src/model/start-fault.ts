/** Why the controller cannot start, when the operator can put it right: one sentence, shown without a stack. */
export class StartFault extends Error {
  override readonly name = 'StartFault';
}
