#!/bin/sh
echo look at the skills
