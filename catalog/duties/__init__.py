"""The duties of 国办发〔2020〕49号 that can be checked on the catalogue alone, a module for each part of it."""
