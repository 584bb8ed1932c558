-- A round that is asked for begins once the model is idle, whatever it does now.
return {
  learn = {disabled = false, displayName = "Learn now", iconClass = "fa fa-fw fa-graduation-cap"},
}
