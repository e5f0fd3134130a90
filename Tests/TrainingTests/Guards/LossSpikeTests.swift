import Testing

@testable import Training

@Suite("losses far above the recent ones")
struct LossSpikeTests {
  /// Takes in `count` losses about `level`, 10 % up and down.
  private func settled(_ count: Int, level: Double = 1) -> LossSpike {
    var spike = LossSpike()
    for i in 0..<count {
      let loss = level * (i % 2 == 0 ? 0.9 : 1.1)
      #expect(spike.observe(loss, deviations: 6) == nil)
    }
    return spike
  }

  @Test("the bound is so many deviations above the mean")
  func bound() {
    var spike = settled(1000)
    // The deviation is 0.1, seen through averages over the last 50.
    let bound = spike.observe(5, deviations: 6)
    #expect(abs((bound ?? 0) - 1.6) < 0.02)
    var same = settled(1000)
    #expect(same.observe(1.55, deviations: 6) == nil)
  }

  @Test("nothing is a spike before there is something to compare with")
  func warmUp() {
    var early = settled(LossSpike.warmUp - 1)
    #expect(early.observe(1000, deviations: 6) == nil)
    var late = settled(LossSpike.warmUp)
    #expect(late.observe(1000, deviations: 6) != nil)
  }

  @Test("a spike does not hide the next one, and a level that stays is learned")
  func afterwards() {
    var spike = settled(200)
    for _ in 0..<3 { #expect(spike.observe(100, deviations: 6) != nil) }
    for _ in 0..<1000 { _ = spike.observe(100, deviations: 6) }
    #expect(spike.observe(100, deviations: 6) == nil)
  }

  @Test("a loss that falls, that has settled, or that is no number is no spike")
  func quiet() {
    var spike = LossSpike()
    for i in 0..<2000 {
      #expect(spike.observe(1e3 / Double(i + 1), deviations: 6) == nil)
      #expect(spike.observe(.nan, deviations: 6) == nil)
    }
    var constant = LossSpike()
    for _ in 0..<500 { _ = constant.observe(0.5, deviations: 6) }
    #expect(constant.observe(0.505, deviations: 6) == nil)
    #expect(constant.observe(0.57, deviations: 6) != nil)
  }

  @Test("a run warns of spikes, at once and then seldom, and goes on")
  func run() throws {
    let yaml = """
      data: {format: inline, train: {features: [1, 1, 1, 1, 1, 1, 1, 1],
             targets: [1, 1.1, 0.9, 1, 1.1, 0.9, 1, 1]}}
      model: [{dense: 1}]
      loss: squared-error
      optimizer: {learning-rate: 0.001}
      training: {batch-size: 1, epochs: 30}
      """
    let calm = try TrainedRun(yaml: yaml, ranks: 1)
    #expect(try calm.events("warning").isEmpty)
    let run = try TrainedRun(
      yaml: yaml, ranks: 1,
      prepare: { trainer, _ in
        var updates = 0
        let network = trainer.network
        trainer.replica.ended = { part in
          guard part == .update else { return }
          updates += 1
          if updates == 60 { network.parameters.base[0] += 1e6 }
        }
      })
    let warnings = try run.events("warning").map { $0["message"] as! String }
    #expect(warnings.first?.hasPrefix("step 61: the loss is ") == true, "\(warnings)")
    #expect(warnings.count <= 2 && run.summaries[0].steps == 240)
    let off = try TrainedRun(
      yaml: yaml, settings: ["training.spike-deviations=0"], ranks: 1,
      prepare: { trainer, _ in trainer.network.parameters.base[0] += 1e6 })
    #expect(try off.events("warning").isEmpty)
  }

  @Test("warnings come at once, then after a hundred steps, with a count of those held back")
  func pace() {
    var pace = WarningPace()
    #expect(pace.admit(7) == 0)
    for step in 8..<107 { #expect(pace.admit(step) == nil) }
    #expect(pace.admit(107) == 99)
    #expect(pace.admit(500) == 0)
  }
}
