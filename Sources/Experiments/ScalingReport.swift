import Foundation

/// The results of a scaling experiment, a row for each number of ranks.
public struct ScalingReport: Sendable {
  public struct Row: Equatable, Sendable {
    public var ranks: Int
    public var globalBatch: Int
    public var samplesPerSecond: Spread
    /// Against the smallest number of ranks.
    public var speedup: Spread
    /// Speed-up over what the ranks would give if nothing were lost.
    public var efficiency: Double
    public var communicationShare: Double
    public var testAccuracy: Double?
    /// Whether in every run all ranks ended with the same parameters.
    public var replicasEqual: Bool
  }

  public let mode: ScalingExperiment.Mode
  public let rows: [Row]

  /// - Precondition: there is at least one result.
  public init(mode: ScalingExperiment.Mode, results: [RunResult]) {
    self.mode = mode
    let groups = Dictionary(grouping: results, by: \.ranks).sorted { $0.key < $1.key }
    let base = groups[0]
    let baseRate = Spread(base.value.map(\.samplesPerSecond)).median
    rows = groups.map { ranks, results in
      let rates = Spread(results.map(\.samplesPerSecond))
      let accuracies = results.compactMap(\.testAccuracy)
      return Row(
        ranks: ranks, globalBatch: results[0].batchSize, samplesPerSecond: rates,
        speedup: rates.scaled(by: 1 / baseRate),
        efficiency: rates.median / baseRate / (Double(ranks) / Double(base.key)),
        communicationShare: Spread(results.map(\.communicationShare)).median,
        testAccuracy: accuracies.isEmpty ? nil : Spread(accuracies).median,
        replicasEqual: results.allSatisfy(\.replicasEqual))
    }
  }

  private static let columns = [
    "ranks", "global-batch", "samples/s", "range", "speed-up", "efficiency", "communication",
    "test-accuracy", "replicas",
  ]

  /// A table for the reader.
  public var text: String {
    let cells = rows.map { row in
      [
        "\(row.ranks)", "\(row.globalBatch)", number(row.samplesPerSecond.median, 0),
        "\(number(row.samplesPerSecond.least, 0))-\(number(row.samplesPerSecond.most, 0))",
        number(row.speedup.median, 2), number(100 * row.efficiency, 0) + " %",
        number(100 * row.communicationShare, 1) + " %",
        row.testAccuracy.map { number(100 * $0, 2) + " %" } ?? "-",
        row.replicasEqual ? "equal" : "DIFFER",
      ]
    }
    return TextTable(columns: ScalingReport.columns, rows: cells).text
  }

  /// The same as comma-separated values; shares and accuracies from 0 to 1.
  public var csv: String {
    let header =
      "mode,ranks,global-batch,samples-per-second,samples-per-second-min,samples-per-second-max,"
      + "speed-up,efficiency,communication-share,test-accuracy,replicas-equal"
    let lines = rows.map { row in
      [
        mode.rawValue, "\(row.ranks)", "\(row.globalBatch)",
        number(row.samplesPerSecond.median, 1), number(row.samplesPerSecond.least, 1),
        number(row.samplesPerSecond.most, 1), number(row.speedup.median, 4),
        number(row.efficiency, 4), number(row.communicationShare, 4),
        row.testAccuracy.map { number($0, 4) } ?? "", "\(row.replicasEqual)",
      ].joined(separator: ",")
    }
    return ([header] + lines).joined(separator: "\n") + "\n"
  }

  private func number(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }
}

/// The median of some measurements, and how far they reach.
public struct Spread: Equatable, Sendable {
  public var least: Double
  public var median: Double
  public var most: Double

  /// - Precondition: there is at least one value.
  public init(_ values: [Double]) {
    let sorted = values.sorted()
    least = sorted.first!
    most = sorted.last!
    median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  func scaled(by factor: Double) -> Spread {
    var result = self
    result.least *= factor
    result.median *= factor
    result.most *= factor
    return result
  }
}
