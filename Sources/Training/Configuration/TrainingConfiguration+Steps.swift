extension TrainingConfiguration {
  /// Steps of a whole run.
  func totalSteps(batchesPerEpoch: Int) -> Int {
    let all = epochs * batchesPerEpoch
    return min(all, maximumSteps ?? all)
  }
}
