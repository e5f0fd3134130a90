import Kernels

/// The set that all ranks compute with, so that their bits agree: the newest that every one of them
/// has.
struct KernelAgreement {
  let instructions: InstructionSet
  /// Said where some ranks could compute with newer ones.
  let compromise: String?

  /// Collective.
  /// - Parameters:
  ///   - environment: `LOCKSTEP_KERNELS` asks for another.
  ///   - recorded: taken in place of the newest if every rank has it, and none asks for another.
  /// - Throws: `JointFailure`.
  init(
    among world: World, environment: [String: String], preferring recorded: InstructionSet?
  ) throws {
    let own = try world.together { try InstructionSet.selected(by: environment) }
    let isAsked = environment["LOCKSTEP_KERNELS"].map { !$0.isEmpty } ?? false
    let all = try world.allgather([
      UInt8(InstructionSet.allCases.firstIndex(of: own)!), isAsked ? 1 : 0,
    ])
    let sets = all.map { InstructionSet.allCases[Int($0[0])] }
    let newest = sets.min()!
    if let recorded, recorded <= newest, all.allSatisfy({ $0[1] == 0 }) {
      instructions = recorded
    } else {
      instructions = newest
    }
    let rank = sets.firstIndex(of: newest)!
    compromise =
      sets.max()! == newest
      ? nil
      : "all ranks compute with \(instructions) kernels, so that their bits agree: rank \(rank) on "
        + "\(world.hosts[rank]) \(all[rank][1] == 1 ? "is told to take" : "has no newer ones than") "
        + "\(newest), others would take \(sets.max()!)"
  }
}
