import NN

@testable import Training

/// What tests make go wrong on one rank, at one step.
enum StepFaults {
  /// A bit of a parameter flips behind the update of `step`, counted from 1.
  static func flipBit(
    ofStep step: Int, onRank rank: Int, element: Int, bit: UInt32 = 0
  ) -> TrainedRun.Preparation {
    { trainer, mine in
      guard mine == rank else { return }
      trainer.replica.atUpdate(step) { network in
        let pattern = network.parameters.base[element].bitPattern
        network.parameters.base[element] = Float(bitPattern: pattern ^ 1 << bit)
      }
    }
  }

  /// A parameter is infinite behind the update of `step`, counted from 1, on all ranks.
  static func overflow(ofStep step: Int) -> TrainedRun.Preparation {
    { trainer, _ in
      trainer.replica.atUpdate(step) { $0.parameters.base[0] = .infinity }
    }
  }

  /// The gradient of a rank's outputs is not a number in `step`, whenever it is computed, or only the
  /// first time.
  static func spoilGradient(
    ofStep step: Int, onRanks ranks: Set<Int>, onlyOnce: Bool = false
  ) -> TrainedRun.Preparation {
    { trainer, mine in
      guard ranks.contains(mine) else { return }
      let network = trainer.replica.network
      var (updates, times) = (0, 0)
      trainer.replica.ended = { part in
        if part == .update { updates += 1 }
        guard part == .loss, updates == step - 1, !onlyOnce || times == 0 else { return }
        times += 1
        network.outputGradient(rows: 1).base[0] = .nan
      }
    }
  }
}

extension Replica {
  /// Calls `body` behind the update number `step`, counted from 1.
  fileprivate func atUpdate(_ step: Int, _ body: @escaping (Network) -> Void) {
    var updates = 0
    ended = { [network] part in
      guard part == .update else { return }
      updates += 1
      if updates == step { body(network) }
    }
  }
}
