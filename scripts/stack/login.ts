/** The name and the password that a server asks for. Both consist of letters, digits, `-` and `_`. */
export interface Login {
  readonly user: string
  readonly password: string
}
