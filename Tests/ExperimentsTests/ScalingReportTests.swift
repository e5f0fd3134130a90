import Testing

@testable import Experiments

@Suite("the report of a scaling experiment")
struct ScalingReportTests {
  static func result(
    _ ranks: Int, _ rate: Double, batch: Int = 64, communication: Double = 0,
    accuracy: Double? = nil, equal: Bool = true
  ) -> RunResult {
    RunResult(
      ranks: ranks, batchSize: batch, samplesPerSecond: rate, communicationShare: communication,
      testAccuracy: accuracy, replicasEqual: equal, parameterHash: "ab")
  }

  /// Two ranks before one, and repetitions in turns, as they come.
  static let small = ScalingReport(
    mode: .strong,
    results: [
      result(2, 1500, communication: 0.1, accuracy: 0.875),
      result(1, 1000, accuracy: 0.875),
      result(2, 1800, communication: 0.3, accuracy: 0.875),
      result(1, 900, accuracy: 0.875),
      result(2, 1900, communication: 0.123, accuracy: 0.875),
      result(1, 1250, accuracy: 0.875),
    ])

  @Test("rows are in the order of ranks, with medians and ranges")
  func rows() {
    let rows = ScalingReportTests.small.rows
    #expect(rows.map(\.ranks) == [1, 2])
    #expect(rows[0].samplesPerSecond == Spread([1000, 900, 1250]))
    #expect(rows[1].samplesPerSecond.least == 1500)
    #expect(rows[1].samplesPerSecond.median == 1800)
    #expect(rows[1].samplesPerSecond.most == 1900)
    #expect(rows[0].speedup.median == 1)
    // 1/1000 is not exact: one rounding for it, one for the product.
    #expect(abs(rows[1].speedup.median - 1.8) < 1e-12)
    #expect(abs(rows[1].speedup.least - 1.5) < 1e-12)
    #expect(abs(rows[1].speedup.most - 1.9) < 1e-12)
    #expect(rows[1].efficiency == 0.9)
    #expect(rows[1].communicationShare == 0.123)
    #expect(rows[1].testAccuracy == 0.875)
  }

  @Test("the median of an even number of values is the mean of the middle two")
  func spread() {
    #expect(Spread([4, 1, 3, 100]).median == 3.5)
    #expect(Spread([2]) == Spread([2, 2, 2]))
    #expect(Spread([5, -1]).least == -1)
    #expect(Spread([5, -1]).most == 5)
  }

  @Test("samples per second count in weak scaling as in strong, and batches are the global ones")
  func weak() {
    let rows = ScalingReport(
      mode: .weak,
      results: [
        ScalingReportTests.result(1, 100, batch: 8), ScalingReportTests.result(4, 300, batch: 32),
      ]
    ).rows
    #expect(rows.map(\.globalBatch) == [8, 32])
    #expect(rows[1].speedup.median == 3)
    #expect(rows[1].efficiency == 0.75)
  }

  @Test("the smallest number of ranks is the base, be it one or not")
  func base() {
    let report = ScalingReport(
      mode: .strong,
      results: [
        ScalingReportTests.result(8, 700), ScalingReportTests.result(2, 200),
        ScalingReportTests.result(4, 400),
      ])
    #expect(report.rows.map(\.speedup.median) == [1, 2, 3.5])
    #expect(report.rows.map(\.efficiency) == [1, 1, 0.875])
    #expect(report.svg.contains("speed-up over 2<"))
  }

  @Test("one run whose replicas differ makes its row differ; accuracies may be missing")
  func replicas() {
    let report = ScalingReport(
      mode: .strong,
      results: [
        ScalingReportTests.result(1, 100), ScalingReportTests.result(2, 200),
        ScalingReportTests.result(2, 200, equal: false), ScalingReportTests.result(4, 300),
      ])
    #expect(report.rows.map(\.replicasEqual) == [true, false, true])
    #expect(report.rows.allSatisfy { $0.testAccuracy == nil })
    #expect(report.text.contains("DIFFER"))
    #expect(report.csv.contains(",,false\n"))
  }

  @Test("the table is right-aligned, to the letter")
  func text() {
    #expect(
      ScalingReportTests.small.text == """
        ranks  global-batch  samples/s      range  speed-up  efficiency  communication  test-accuracy  replicas
            1            64       1000   900-1250      1.00       100 %          0.0 %        87.50 %     equal
            2            64       1800  1500-1900      1.80        90 %         12.3 %        87.50 %     equal

        """)
  }

  @Test("the CSV has shares from 0 to 1, and nothing where there is no accuracy")
  func csv() {
    #expect(
      ScalingReportTests.small.csv == """
        mode,ranks,global-batch,samples-per-second,samples-per-second-min,samples-per-second-max,\
        speed-up,efficiency,communication-share,test-accuracy,replicas-equal
        strong,1,64,1000.0,900.0,1250.0,1.0000,1.0000,0.0000,0.8750,true
        strong,2,64,1800.0,1500.0,1900.0,1.8000,0.9000,0.1230,0.8750,true

        """)
    let bare = ScalingReport(mode: .weak, results: [ScalingReportTests.result(1, 1)])
    #expect(bare.csv.hasSuffix("\nweak,1,64,1.0,1.0,1.0,1.0000,1.0000,0.0000,,true\n"))
  }
}
