import Testing

@testable import Training

@Suite("the course of a run")
struct TrainingProgressTests {
  @Test("an epoch's loss is the mean over samples: a short batch counts for less")
  func epochLoss() {
    var progress = TrainingProgress()
    progress.record(step: 0, loss: 1, samples: 4)
    progress.record(step: 1, loss: 2, samples: 4)
    progress.record(step: 2, loss: 8, samples: 1)
    progress.endEpoch(nil, trainingSeconds: 3)
    #expect(progress.epochLoss == 20.0 / 9)
    #expect((progress.steps, progress.epochs, progress.samples) == (3, 1, 9))
    progress.record(step: 3, loss: 5, samples: 2)
    progress.endEpoch(.init(loss: 1, accuracy: 0.5), trainingSeconds: 4)
    #expect(progress.epochLoss == 5)
    #expect(progress.epochRates == [3, 2])
    #expect(progress.evaluation == .init(loss: 1, accuracy: 0.5))
  }

  @Test(
    "the rate is the median over epochs",
    arguments: [([], 0), ([7], 7), ([1, 9], 5), ([9, 1, 3], 3), ([4, 1, 100, 2], 3)])
  func median(rates: [Int], expected: Double) {
    var progress = TrainingProgress()
    for (epoch, rate) in rates.enumerated() {
      progress.record(step: epoch, loss: 0, samples: rate)
      progress.endEpoch(nil, trainingSeconds: Double(epoch + 1))
    }
    #expect(progress.medianRate == expected)
  }

  @Test("the rate of an event is of the time since the one before")
  func eventRate() {
    var progress = TrainingProgress()
    progress.record(step: 0, loss: 0, samples: 10)
    #expect(progress.rateSinceLastEvent(trainingSeconds: 2) == 5)
    progress.record(step: 1, loss: 0, samples: 30)
    #expect(progress.rateSinceLastEvent(trainingSeconds: 3) == 30)
    #expect(progress.rateSinceLastEvent(trainingSeconds: 3) == 0)
  }

  @Test("the line of an epoch says what there is to say")
  func line() {
    var progress = TrainingProgress()
    progress.record(step: 0, loss: 0.00001234, samples: 50)
    progress.endEpoch(nil, trainingSeconds: 2)
    #expect(progress.line(epochs: 100) == "epoch   1/100  step 1  loss 1.234e-05  25 samples/s")
    progress.record(step: 1, loss: 2, samples: 50)
    progress.endEpoch(.init(loss: 0.5, accuracy: 0.87654), trainingSeconds: 3)
    #expect(
      progress.line(epochs: 9)
        == "epoch 2/9  step 2  loss 2.0000  test loss 0.5000  accuracy 87.65 %  50 samples/s")
  }
}
