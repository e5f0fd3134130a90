import Collective
import NN

extension TrainingConfiguration {
  /// How many ranks there is work for where `slots` could run: in a reproducible run a power of two,
  /// so that the bits are those of any other.
  public func ranks(among slots: Int) -> Int {
    let ranks = min(slots, batchSize)
    guard isReproducible else { return ranks }
    return 1 << (Int.bitWidth - 1 - min(ranks, shards).leadingZeroBitCount)
  }

  /// Refuses to work through a batch in parts where a layer needs all of it at once.
  /// - Throws: `TrainingError` (usage).
  func requireWholeBatches(for network: NetworkPlan) throws {
    guard passes > 1,
      let stage = network.stages.first(where: { $0.layer?.batchSums.isEmpty == false })
    else { return }
    throw TrainingError(
      ExitStatus.usage,
      "training.accumulate: layer \(stage.number) (\(stage.kind)) needs the whole batch at once, not "
        + "in \(passes) passes: set it to 1, or take layer-norm")
  }

  /// Refuses a number of ranks that the configuration has no work, or no order of summation, for.
  /// - Throws: `TrainingError` (usage).
  public func requireWork(forRanks ranks: Int) throws {
    guard batchSize >= ranks else {
      throw TrainingError(
        ExitStatus.usage,
        "training.batch-size: a batch of \(batchSize) sample\(batchSize == 1 ? "" : "s") cannot be "
          + "shared by \(ranks) ranks: raise it to at least \(ranks), or start fewer ranks")
    }
    guard !isReproducible || shards >= ranks else {
      throw TrainingError(
        ExitStatus.usage,
        "training.shards: \(shards) shard\(shards == 1 ? "" : "s") cannot be shared by \(ranks) "
          + "ranks: raise it to a power of two of at least \(ranks), or set training.reproducible "
          + "to false")
    }
    guard !isReproducible || shards >= ranks * passes else {
      throw TrainingError(
        ExitStatus.usage,
        "training.accumulate: \(passes) passes on each of \(ranks) rank\(ranks == 1 ? "" : "s") need "
          + "\(ranks * passes) shards, and training.shards is \(shards): raise it to a power of two of "
          + "at least \(ranks * passes), or lower training.accumulate")
    }
    if isReproducible, case .schedule(let algorithm) = algorithm,
      !algorithm.isCanonical(size: ranks)
    {
      throw TrainingError(
        ExitStatus.usage,
        "collective.algorithm: \(algorithm.rawValue) adds in an order that depends on the number of "
          + "ranks: set training.reproducible to false, or use auto, tree or direct")
    }
  }
}
