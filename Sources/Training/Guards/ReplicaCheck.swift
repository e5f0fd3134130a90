import Foundation
import Kernels
import NN

/// Compares the ranks' copies of the model: parameters and what layers remember, bit for bit, by a
/// hash of 8 bytes a rank. All ranks make the same updates from the same sums; where copies differ, a
/// bit has flipped in a host's memory or on the way, or the software is at fault.
struct ReplicaCheck {
  /// Steps between two checks within an epoch; 0: only the end of the run is looked at.
  let interval: Int

  func isDue(afterStep steps: Int, endsEpoch: Bool) -> Bool {
    interval > 0 && (endsEpoch || steps % interval == 0)
  }

  /// Collective.
  /// - Parameter steps: made so far, for the message.
  /// - Throws: `JointFailure`, on all ranks alike, that names the ranks that stand alone.
  func run(_ network: Network, kernels: KernelSet, world: World, steps: Int) throws {
    guard world.size > 1 else { return }
    let slabs = [network.parameters, network.state]
    var mine = slabs.reduce(0) {
      kernels.hash(UnsafeBufferPointer($1.tensors), seed: $0)
    }
    let bytes = withUnsafeBytes(of: &mine) { Array($0) }
    let difference = ReplicaDifference(try world.allgather(bytes))
    guard !difference.isNone else { return }
    let tensors = slabs.flatMap { slab in slab.layout.tensors.map { (slab, $0) } }
    let hashes = try world.gather(
      tensors.map { kernels.hash(UnsafeBufferPointer($0.elements(of: $1))) })
    let differing = tensors.indices.filter { tensor in
      hashes.contains { $0[tensor] != hashes[0][tensor] }
    }
    throw JointFailure(
      ExitStatus.diverged,
      difference.text(
        afterStep: steps, hosts: world.hosts, tensors: differing.map { tensors[$0].1.name }))
  }
}

/// Who differs from whom.
struct ReplicaDifference: Equatable {
  /// Ranks whose copies are equal, the most first.
  private let groups: [[Int]]

  /// - Parameter hashes: of each rank.
  init(_ hashes: [[UInt8]]) {
    groups = Dictionary(grouping: hashes.indices, by: { hashes[$0] }).values
      .sorted { ($0.count, $1[0]) > ($1.count, $0[0]) }
  }

  var isNone: Bool { groups.count == 1 }

  /// - Parameters:
  ///   - hosts: of each rank.
  ///   - tensors: names of those that differ; empty if that is not known.
  func text(afterStep steps: Int, hosts: [String], tensors: [String]) -> String {
    func names(_ ranks: [Int]) -> String {
      ranks.map { "rank \($0) on \(hosts[$0])" }.joined(separator: ", ")
    }
    let what: String
    switch tensors.count {
    case 0: what = "the model"
    case 1: what = tensors[0]
    default: what = "\(tensors[0]) and \(tensors.count - 1) more"
    }
    let rest = groups.dropFirst().flatMap { $0 }.sorted()
    if 2 * groups[0].count > hosts.count {
      let (differ, host, it) =
        rest.count == 1 ? ("differs", "its host", "it") : ("differ", "their hosts", "them")
      return
        "after step \(steps) \(names(rest)) \(differ) from the other \(groups[0].count) ranks in "
        + "\(what): memory or network of \(host) is not to be trusted; start again without \(it)"
    }
    let parties = groups.map(names).joined(separator: "; ")
    return "after step \(steps) these differ in \(what): \(parties). There is no majority: to find "
      + "out which host is not to be trusted, train on each alone, and on a third, with "
      + "training.max-steps=\(steps): the parameter-sha256 that stands alone names it"
  }
}
