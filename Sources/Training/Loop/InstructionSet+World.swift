import Kernels

extension InstructionSet {
  /// The set that all ranks compute with, so that their bits agree: the newest that every one of them
  /// has. Collective.
  /// - Parameters:
  ///   - environment: `LOCKSTEP_KERNELS` asks for another.
  ///   - recorded: taken in place of the newest if every rank has it, and none asks for another.
  /// - Throws: `JointFailure`.
  static func common(
    to world: World, environment: [String: String], preferring recorded: InstructionSet?
  ) throws -> InstructionSet {
    let own = try world.together { try InstructionSet.selected(by: environment) }
    let isAsked = environment["LOCKSTEP_KERNELS"].map { !$0.isEmpty } ?? false
    let sets = try world.allgather([
      UInt8(allCases.firstIndex(of: own)!), isAsked ? 1 : 0,
    ])
    let newest = allCases[Int(sets.map { $0[0] }.min()!)]
    guard let recorded, recorded <= newest, sets.allSatisfy({ $0[1] == 0 }) else { return newest }
    return recorded
  }
}
